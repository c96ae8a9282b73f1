[(function_declaration) (generator_function_declaration) (function_expression) (arrow_function) (method_definition) (class_declaration) (class)] @definition
[(string) (template_string) (regex)] @string
(comment) @comment
