(function_definition) @definition
[(compound_statement) (do_group) (if_statement) (case_statement) (subshell)] @block
[(string) (raw_string) (ansi_c_string) (heredoc_body)] @string
(comment) @comment
