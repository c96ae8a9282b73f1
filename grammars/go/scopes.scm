[(function_declaration) (method_declaration) (func_literal) (type_declaration)] @definition
[(block) (field_declaration_list)] @block
[(interpreted_string_literal) (raw_string_literal) (rune_literal)] @string
(comment) @comment
