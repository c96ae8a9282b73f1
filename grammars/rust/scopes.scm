[(function_item) (struct_item) (enum_item) (union_item) (trait_item) (impl_item) (mod_item) (macro_definition)] @definition
[(block) (declaration_list) (field_declaration_list) (enum_variant_list) (match_block)] @block
[(string_literal) (raw_string_literal) (char_literal)] @string
[(line_comment) (block_comment)] @comment
