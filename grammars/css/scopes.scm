[(rule_set) (media_statement) (keyframes_statement)] @definition
(string_value) @string
(comment) @comment
