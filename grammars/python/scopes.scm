(function_definition) @definition
(class_definition) @definition
(block) @block
(string) @string
(comment) @comment
