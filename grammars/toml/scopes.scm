[(table) (table_array_element)] @definition
[(array) (inline_table)] @block
(string) @string
(comment) @comment
