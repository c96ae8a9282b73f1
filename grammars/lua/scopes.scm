[(function_declaration) (function_definition)] @definition
(block) @block
(string) @string
(comment) @comment
