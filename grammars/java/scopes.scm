[(class_declaration) (interface_declaration) (enum_declaration) (record_declaration) (method_declaration) (constructor_declaration) (lambda_expression)] @definition
[(block) (class_body) (interface_body) (enum_body) (constructor_body) (switch_block)] @block
[(string_literal) (character_literal)] @string
[(line_comment) (block_comment)] @comment
