[(method) (singleton_method) (class) (singleton_class) (module)] @definition
[(string) (subshell) (regex) (heredoc_body)] @string
(comment) @comment
