; captures: see python/signatures.scm
(function_declaration
  name: (_) @name parameters: (parameter_list) @parameters result: (_)? @returns body: (_)? @body) @function
(method_declaration
  name: (_) @name parameters: (parameter_list) @parameters result: (_)? @returns body: (_)? @body) @function
(method_elem name: (_) @name parameters: (parameter_list) @parameters result: (_)? @returns) @function
(type_spec name: (_) @name) @class

(parameter_list (parameter_declaration name: (_) @parameter.name type: (_) @parameter.type)) @parameter.list
(parameter_list (variadic_parameter_declaration name: (_) @parameter.name type: (_) @parameter.type)) @parameter.list

(return_statement (_) @value)
