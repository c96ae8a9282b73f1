; captures: see python/signatures.scm
(method_declaration
  type: (_) @returns name: (_) @name parameters: (formal_parameters) @parameters body: (_)? @body) @function
(constructor_declaration name: (_) @name parameters: (formal_parameters) @parameters body: (_) @body) @function
(class_declaration name: (_) @name body: (_) @body) @class
(interface_declaration name: (_) @name body: (_) @body) @class
(enum_declaration name: (_) @name body: (_) @body) @class
(record_declaration name: (_) @name parameters: (formal_parameters) @parameters body: (_) @body) @class

(formal_parameters (formal_parameter type: (_) @parameter.type name: (_) @parameter.name)) @parameter.list
(formal_parameters
  (spread_parameter (_) @parameter.type . (variable_declarator name: (_) @parameter.name))) @parameter.list

(return_statement (_) @value)
(throws (_) @raises)
(throw_statement (object_creation_expression type: (_) @raises))
