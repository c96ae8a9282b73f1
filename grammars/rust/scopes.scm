[(function_item) (struct_item) (enum_item) (union_item) (trait_item) (impl_item) (mod_item) (macro_definition)] @definition
[(string_literal) (raw_string_literal) (char_literal)] @string
[(line_comment) (block_comment)] @comment
