(namespace_use_declaration) @import @tree
(expression_statement [
  (require_expression [(encapsed_string (string_content) @module) (string (string_content) @module)])
  (require_once_expression [(encapsed_string (string_content) @module) (string (string_content) @module)])
  (include_expression [(encapsed_string (string_content) @module) (string (string_content) @module)])
  (include_once_expression [(encapsed_string (string_content) @module) (string (string_content) @module)])
]) @import
