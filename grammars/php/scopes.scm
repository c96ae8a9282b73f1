[(function_definition) (method_declaration) (class_declaration) (interface_declaration) (trait_declaration) (enum_declaration) (anonymous_function) (arrow_function)] @definition
[(string) (encapsed_string) (heredoc) (nowdoc)] @string
(comment) @comment
