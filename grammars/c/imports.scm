(preproc_include path: [(system_lib_string) (string_literal)] @module) @import
