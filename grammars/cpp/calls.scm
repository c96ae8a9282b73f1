(call_expression function: [
  (identifier) @name
  (field_expression field: (field_identifier) @name)
  (qualified_identifier name: [(identifier) @name (template_function name: (identifier) @name) (qualified_identifier name: (identifier) @name)])
  (template_function name: (identifier) @name)
]) @call
(new_expression type: [(type_identifier) @name (qualified_identifier name: (type_identifier) @name)]) @call
