[(class_declaration) (interface_declaration) (struct_declaration) (record_declaration) (enum_declaration) (method_declaration) (constructor_declaration) (property_declaration) (local_function_statement) (lambda_expression) (namespace_declaration)] @definition
[(string_literal) (verbatim_string_literal) (raw_string_literal) (interpolated_string_expression) (character_literal)] @string
(comment) @comment
