[(function_definition) (struct_specifier) (class_specifier) (union_specifier) (enum_specifier) (namespace_definition) (lambda_expression)] @definition
[(string_literal) (raw_string_literal) (char_literal) (system_lib_string)] @string
(comment) @comment
