(method_invocation name: (identifier) @name) @call
(object_creation_expression type: [(type_identifier) @name (generic_type (type_identifier) @name) (scoped_type_identifier (type_identifier) @name .)]) @call
(method_reference (identifier) @name .) @call
