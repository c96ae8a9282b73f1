; inherits: ecma
(class_body (field_definition property: (_) @name) @definition.field)
