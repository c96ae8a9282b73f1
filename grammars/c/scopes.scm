[(function_definition) (struct_specifier) (union_specifier) (enum_specifier)] @definition
[(string_literal) (char_literal) (system_lib_string)] @string
(comment) @comment
