[(object) (array)] @block
(string) @string
(comment) @comment
