; inherits: ecma
[(abstract_class_declaration) (interface_declaration) (enum_declaration) (internal_module) (module)] @definition
