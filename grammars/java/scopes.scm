[(class_declaration) (interface_declaration) (enum_declaration) (record_declaration) (method_declaration) (constructor_declaration) (lambda_expression)] @definition
[(string_literal) (character_literal)] @string
[(line_comment) (block_comment)] @comment
