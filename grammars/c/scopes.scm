[(function_definition) (struct_specifier) (union_specifier) (enum_specifier)] @definition
[(compound_statement) (field_declaration_list) (enumerator_list)] @block
[(string_literal) (char_literal) (system_lib_string)] @string
(comment) @comment
