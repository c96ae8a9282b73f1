; inherits: ecma
; captures: see python/signatures.scm
(function_declaration
  name: (_) @name parameters: (formal_parameters) @parameters body: (_) @body) @function
(generator_function_declaration
  name: (_) @name parameters: (formal_parameters) @parameters body: (_) @body) @function
(method_definition
  name: (_) @name parameters: (formal_parameters) @parameters body: (_) @body) @function
(variable_declarator
  name: (identifier) @name
  value: (arrow_function parameters: (formal_parameters) @parameters body: (_) @body)) @function
(variable_declarator
  name: (identifier) @name
  value: (function_expression parameters: (formal_parameters) @parameters body: (_) @body)) @function
(assignment_expression
  left: (member_expression property: (_) @name)
  right: [
    (arrow_function parameters: (formal_parameters) @parameters body: (_) @body)
    (function_expression parameters: (formal_parameters) @parameters body: (_) @body)]) @function

(formal_parameters [(identifier) (rest_pattern)] @parameter.name) @parameter.list
(formal_parameters [(object_pattern) (array_pattern)] @parameter.pattern) @parameter.list
(formal_parameters
  (assignment_pattern left: (identifier) @parameter.name right: (_) @parameter.default)) @parameter.list
(formal_parameters
  (assignment_pattern left: [(object_pattern) (array_pattern)] @parameter.pattern)) @parameter.list
