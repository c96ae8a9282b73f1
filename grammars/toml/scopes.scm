[(table) (table_array_element)] @definition
(string) @string
(comment) @comment
