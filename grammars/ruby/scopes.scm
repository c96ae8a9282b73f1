[(method) (singleton_method) (class) (singleton_class) (module)] @definition
[(body_statement) (block) (do_block) (then) (do) (begin)] @block
[(string) (subshell) (regex) (heredoc_body)] @string
(comment) @comment
