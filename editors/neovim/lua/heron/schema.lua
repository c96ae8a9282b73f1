--- What `setup` takes. The server's settings are those of `heron.settings.settings_schema()`; a test compares them.
local M = {}

---@param kind string
---@param minimum? number
---@param maximum? number
---@return heron.Rule
local function rule(kind, minimum, maximum)
  return { kind = kind, minimum = minimum, maximum = maximum }
end

---@param ... string
---@return heron.Rule
local function choice(...)
  return { kind = "choice", allowed = { ... } }
end

---@param fields table<string, heron.Rule>
---@return heron.Rule
local function section(fields)
  return { kind = "table", fields = fields }
end

---@type table<string, heron.Rule>
M.settings = {
  model = section({
    name = rule("string"),
    use_hub = rule("boolean"),
    hub_timeout_s = rule("number", 0.1, 120),
  }),
  engine = section({
    device = rule("string"),
    instruction_set = choice("auto", "avx512-vnni", "avx2", "portable"),
    threads = rule("integer", 0, 1024),
    context_window = rule("integer", 256, 131072),
    speculation = choice("auto", "off"),
    cache_tokens = rule("integer", 0, 4194304),
    kv_cache = choice("auto", "int8"),
    max_running = rule("integer", 0, 64),
    memory_budget_mb = rule("integer", 0, 1000000),
    idle_unload_s = rule("number", 0, 1e7),
    long_prompt = choice("refuse", "slide"),
    backend = choice("auto", "tvm", "mlc", "remote"),
    remote_url = rule("string"),
    remote_token = rule("string"),
    remote_fallback = choice("auto", "off"),
    load_timeout_s = rule("number", 1, 86400),
  }),
  mlc = section({
    mode = choice("local", "interactive", "server"),
    library = rule("string"),
    compile = choice("auto", "off"),
    tensor_parallel_shards = rule("integer", 0, 64),
    draft_model = rule("string"),
    draft_length = rule("integer", 0, 16),
  }),
  host = section({
    url = rule("string"),
    token = rule("string"),
    idle_timeout_s = rule("number", 1, 1e7),
    listen = rule("string"),
    tls_certificate = rule("string"),
    tls_key = rule("string"),
    allowed_hosts = rule("texts"),
    allowed_origins = rule("texts"),
    log_format = choice("text", "json"),
    response_cache_mb = rule("integer", 0, 65536),
  }),
  limits = section({
    requests_per_minute = rule("integer", 0, 1000000),
    tokens_per_minute = rule("integer", 0, 1000000000),
    concurrent_requests = rule("integer", 0, 10000),
    client_share = rule("number", 0.01, 1),
  }),
  completion = section({
    enabled = rule("boolean"),
    max_tokens = rule("integer", 1, 1024),
    prefix_tokens = rule("integer", 16, 65536),
    suffix_tokens = rule("integer", 0, 65536),
    context_tokens = rule("integer", 0, 65536),
    debounce_ms = rule("integer", 0, 5000),
    timeout_ms = rule("integer", 50, 600000),
    alternatives = rule("integer", 0, 8),
    least_chance = rule("number", 0, 1),
    ahead = rule("boolean"),
    popup = choice("auto", "on", "off"),
    popup_ms = rule("integer", 10, 5000),
    warm = rule("boolean"),
  }),
  chat = section({
    model = rule("string"),
    tools = choice("auto", "gather", "model"),
    max_tokens = rule("integer", 16, 32768),
    context_tokens = rule("integer", 0, 131072),
    max_steps = rule("integer", 1, 100),
    timeout_s = rule("number", 1, 86400),
  }),
  tools = section({
    run_command = rule("boolean"),
    command_time_s = rule("number", 1, 3600),
    plugins = rule("boolean"),
    mcp = rule("boolean"),
  }),
  context = section({ exclude = rule("texts") }),
  index = section({ enabled = rule("boolean") }),
  stats = section({ enabled = rule("boolean") }),
}

---@type table<string, heron.Rule>
M.options = {
  cmd = { kind = "texts", filled = true },
  filetypes = rule("texts"),
  root_markers = rule("texts"),
  ghost = choice("own", "builtin"),
  debounce_ms = rule("integer", 0, 5000),
  keys = section({
    accept = rule("key"),
    accept_word = rule("key"),
    accept_line = rule("key"),
    next = rule("key"),
    previous = rule("key"),
    dismiss = rule("key"),
  }),
  chat = section({ position = choice("right", "left", "below", "above"), size = rule("number", 0.1, 0.9) }),
  settings = { kind = "table", fields = M.settings },
}

return M
