(namespace_definition name: (_) @name) @definition.module
(class_specifier name: [(type_identifier) @name (template_type name: (type_identifier) @name) (qualified_identifier name: (type_identifier) @name)] body: (_)) @definition.class
(struct_specifier name: [(type_identifier) @name (template_type name: (type_identifier) @name)] body: (_)) @definition.struct
(union_specifier name: (type_identifier) @name body: (_)) @definition.struct
(enum_specifier name: (type_identifier) @name body: (_)) @definition.enum
(enumerator name: (identifier) @name) @definition.constant
(function_declarator declarator: [
  (identifier) @name
  (field_identifier) @name
  (destructor_name) @name
  (operator_name) @name
]) @declarator
(function_declarator declarator: (qualified_identifier
  scope: [(namespace_identifier) @container (template_type name: (type_identifier) @container)]
  name: [(identifier) @name (destructor_name) @name (operator_name) @name])) @declarator
(function_declarator declarator: (qualified_identifier
  name: (qualified_identifier
    scope: [(namespace_identifier) @container (template_type name: (type_identifier) @container)]
    name: [(identifier) @name (destructor_name) @name (operator_name) @name]))) @declarator
(field_declaration declarator: [
  (field_identifier) @name
  (pointer_declarator declarator: (field_identifier) @name)
  (reference_declarator (field_identifier) @name)
  (array_declarator declarator: (field_identifier) @name)
]) @definition.field
(alias_declaration name: (type_identifier) @name) @definition.type
(type_definition declarator: [(type_identifier) @name (pointer_declarator declarator: (type_identifier) @name)]) @definition.type
(concept_definition name: (identifier) @name) @definition.type
(preproc_def name: (identifier) @name) @definition.macro
(preproc_function_def name: (identifier) @name) @definition.macro
(translation_unit (declaration declarator: [(identifier) @name (init_declarator declarator: (identifier) @name)]) @definition.variable)
(namespace_definition body: (declaration_list (declaration declarator: [(identifier) @name (init_declarator declarator: (identifier) @name)]) @definition.variable))
