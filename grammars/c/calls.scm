(call_expression function: [(identifier) @name (field_expression field: (field_identifier) @name)]) @call
