[(script_element) (style_element)] @definition
[(attribute_value) (quoted_attribute_value)] @string
(comment) @comment
