[(function_declaration) (function_definition)] @definition
(string) @string
(comment) @comment
