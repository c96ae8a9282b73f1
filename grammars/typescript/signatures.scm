; inherits: ecma
; captures: see python/signatures.scm
(function_declaration
  name: (_) @name parameters: (formal_parameters) @parameters return_type: (_)? @returns body: (_) @body) @function
(generator_function_declaration
  name: (_) @name parameters: (formal_parameters) @parameters return_type: (_)? @returns body: (_) @body) @function
(function_signature
  name: (_) @name parameters: (formal_parameters) @parameters return_type: (_)? @returns) @function
(method_definition
  name: (_) @name parameters: (formal_parameters) @parameters return_type: (_)? @returns body: (_) @body) @function
[(method_signature
   name: (_) @name parameters: (formal_parameters) @parameters return_type: (_)? @returns)
 (abstract_method_signature
   name: (_) @name parameters: (formal_parameters) @parameters return_type: (_)? @returns)] @function
(variable_declarator
  name: (identifier) @name
  value: (arrow_function
    parameters: (formal_parameters) @parameters return_type: (_)? @returns body: (_) @body)) @function
(variable_declarator
  name: (identifier) @name
  value: (function_expression
    parameters: (formal_parameters) @parameters return_type: (_)? @returns body: (_) @body)) @function
(abstract_class_declaration name: (_) @name body: (_) @body) @class
(interface_declaration name: (_) @name body: (_) @body) @class
(enum_declaration name: (_) @name body: (_) @body) @class
(type_alias_declaration name: (_) @name) @class

(formal_parameters
  (required_parameter
    pattern: [(identifier) (rest_pattern)] @parameter.name
    type: (_)? @parameter.type value: (_)? @parameter.default)) @parameter.list
(formal_parameters
  (optional_parameter
    pattern: (identifier) @parameter.name type: (_)? @parameter.type value: (_)? @parameter.default)) @parameter.list
(formal_parameters
  (required_parameter
    pattern: [(object_pattern) (array_pattern)] @parameter.pattern type: (_)? @parameter.type)) @parameter.list
