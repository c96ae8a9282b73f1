[(function_declaration) (method_declaration) (func_literal) (type_declaration)] @definition
[(interpreted_string_literal) (raw_string_literal) (rune_literal)] @string
(comment) @comment
