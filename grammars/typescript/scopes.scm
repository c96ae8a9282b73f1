[(function_declaration) (generator_function_declaration) (function_expression) (arrow_function) (method_definition) (class_declaration) (abstract_class_declaration) (class) (interface_declaration) (enum_declaration) (internal_module) (module)] @definition
[(string) (template_string) (regex)] @string
(comment) @comment
