(function_definition) @definition
(class_definition) @definition
(string) @string
(comment) @comment
