(call_expression function: [
  (identifier) @name
  (selector_expression field: (field_identifier) @name)
  (parenthesized_expression (identifier) @name)
]) @call
(composite_literal type: [(type_identifier) @name (qualified_type name: (type_identifier) @name)]) @call
