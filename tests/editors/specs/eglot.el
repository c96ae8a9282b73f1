;;; -*- lexical-binding: t -*-
;; Eglot, configured as the page says, with `heron lsp` and a host whose one completion is "n a + b".
(require 'cl-lib)
(require 'ert)
(require 'eglot)

(defmacro spec-wait (what form)
  "Wait until FORM is not nil, and give its value."
  `(let ((deadline (+ (float-time) 60)) value)
     (while (not (setq value ,form))
       (when (> (float-time) deadline)
         (error "Waited in vain for %s; buffer: %S" ,what (buffer-string)))
       (accept-process-output nil 0.05))
     value))

(defun spec-open (name &rest lines)
  "A file of the workspace with eglot on; point is at its end."
  (with-temp-file name (insert (string-join lines "\n")))
  (find-file name)
  (unless (eglot-managed-p)
    (call-interactively #'eglot))
  (goto-char (point-max)))

(defun spec-candidates ()
  "What `completion-at-point' would offer."
  (pcase (run-hook-wrapped 'completion-at-point-functions #'completion--capf-wrapper 'all)
    (`(,_ ,start ,end ,table . ,_) (all-completions (buffer-substring start end) table))))

(ert-deftest heron-1-completion-at-point ()
  (spec-open "a.py" "def add(a, b):" "    retur")
  (should (equal (mapcar #'substring-no-properties (spec-wait "a candidate" (spec-candidates))) '("return a + b")))
  (completion-at-point)
  (should (equal (buffer-string) "def add(a, b):\n    return a + b")))

(ert-deftest heron-2-ghost-text ()
  (spec-open "b.py" "def add(a, b):" "    retu")
  (completion-preview-mode)
  (switch-to-buffer "b.py")
  (execute-kbd-macro "r")
  (let ((ghost (spec-wait "ghost text" (and completion-preview--overlay
                                            (overlay-get completion-preview--overlay 'after-string)))))
    (should (equal (substring-no-properties ghost) "n a + b")))
  (completion-preview-insert)
  (should (equal (buffer-string) "def add(a, b):\n    return a + b")))

(ert-deftest heron-3-code-action ()
  (spec-open "c.py" "def add(a, b):" "    return a + b" "")
  (goto-char (point-min))
  (let* ((actions (eglot-code-actions (point) (point)))
         (action (cl-find "Document add" actions :key (lambda (it) (plist-get it :title)) :test #'equal)))
    (should action)
    (eglot-execute (eglot-current-server) action)
    (should (string-match-p "^def add(a, b):\n    \"\"\"Add two numbers\\." (buffer-string)))))

(ert-deftest heron-4-an-answer-is-a-document ()
  (spec-open "d.py" "def add(a, b):" "    return a + b" "")
  (let ((code (current-buffer))
        (action (cl-find "Explain the selection" (eglot-code-actions (point-min) (point-max))
                         :key (lambda (it) (plist-get it :title)) :test #'equal)))
    (should action)
    (eglot-execute (eglot-current-server) action)
    (let ((shown (spec-wait "the document" (cl-find-if (lambda (it) (string-prefix-p "explain-" (buffer-name it)))
                                                       (buffer-list)))))
      (should (equal (with-current-buffer shown (buffer-string)) "# /explain\n\nIt adds.\n"))
      (should (equal (with-current-buffer code (buffer-string)) "def add(a, b):\n    return a + b\n")))))

(ert-deftest heron-5-the-server-leaves ()
  (let ((server (progn (find-file "a.py") (eglot-current-server))))
    (eglot-shutdown server)
    (should-not (jsonrpc-running-p server))))

(ert-run-tests-batch-and-exit)
