"""The fields of every object, in their order, present even when they are null or empty, as each client generation gets
them. Programs written years ago read these; a field that moves, goes missing or changes its kind is a break."""

import pytest
import stele

HEAD = "id date name message_type otid sender_id step_id is_err seq_id run_id"
BLOCK = ("value limit project_id template_name is_template template_id base_template_id deployment_id entity_id "
         "preserve_on_migration label read_only description metadata hidden id created_by_id last_updated_by_id tags "
         "created_at updated_at")
LLM = ("frequency_penalty compatibility_type verbosity tier parallel_tool_calls response_format strict return_logprobs "
       "top_logprobs return_token_ids tool_call_parser")
FIELDS = {
    "agent": "created_by_id last_updated_by_id created_at updated_at id name tool_rules message_ids system agent_type llm_config "
             "embedding_config model embedding model_settings compaction_settings response_format description metadata memory "
             "blocks tools sources tags tool_exec_environment_variables secrets project_id template_id base_template_id "
             "deployment_id entity_id identity_ids identities pending_approval message_buffer_autoclear enable_sleeptime "
             "multi_agent_group managed_group last_run_completion last_run_duration_ms last_stop_reason timezone "
             "max_files_open per_file_view_window_char_limit hidden",
    "llm_config": "model display_name model_endpoint_type model_endpoint provider_name provider_category model_wrapper "
                  "context_window put_inner_thoughts_in_kwargs handle temperature max_tokens enable_reasoner reasoning_effort "
                  "max_reasoning_tokens effort " + LLM,
    "embedding_config": "embedding_endpoint_type embedding_endpoint embedding_model embedding_dim embedding_chunk_size handle "
                        "batch_size azure_endpoint azure_version azure_deployment",
    "model_settings": "max_output_tokens parallel_tool_calls provider_type temperature reasoning response_format strict",
    "compaction_settings": "model model_settings prompt prompt_acknowledgement clip_chars mode sliding_window_percentage",
    "memory": "agent_type git_enabled blocks file_blocks prompt_template",
    "block": BLOCK,
    "block_response": BLOCK + " name",
    "tool": "id tool_type description source_type name tags source_code json_schema args_json_schema return_char_limit "
            "pip_requirements npm_requirements default_requires_approval enable_parallel_execution created_by_id "
            "last_updated_by_id metadata_ project_id",
    "tool_rule": "tool_name type prompt_template",
    "secret": "created_by_id last_updated_by_id created_at updated_at id key value description agent_id",
    "context": "context_window_size_max context_window_size_current num_messages num_archival_memory num_recall_memory "
               "num_tokens_external_memory_summary external_memory_summary num_tokens_system system_prompt num_tokens_core_memory "
               "core_memory num_tokens_memory_filesystem memory_filesystem num_tokens_tool_usage_rules tool_usage_rules "
               "num_tokens_directories directories num_tokens_summary_memory summary_memory num_tokens_functions_definitions "
               "functions_definitions num_tokens_messages messages",
    "context_message": "created_by_id last_updated_by_id created_at updated_at id agent_id model role content name tool_calls "
                       "tool_call_id step_id run_id otid tool_returns group_id sender_id batch_item_id conversation_id is_err "
                       "approval_request_id approve denial_reason approvals",
    "model": "handle name display_name provider_type provider_name model_type model model_endpoint_type model_endpoint "
             "provider_category model_wrapper context_window put_inner_thoughts_in_kwargs temperature max_tokens enable_reasoner "
             "reasoning_effort max_reasoning_tokens effort " + LLM + " max_context_window",
    "embedding": "handle name display_name provider_type provider_name model_type embedding_endpoint_type embedding_endpoint "
                 "embedding_model embedding_dim embedding_chunk_size batch_size azure_endpoint azure_version azure_deployment",
    "response": "messages stop_reason usage logprobs turns",
    "stop_reason": "message_type stop_reason",
    "usage_statistics": "message_type completion_tokens prompt_tokens total_tokens step_count run_ids cached_input_tokens "
                        "cache_write_tokens reasoning_tokens context_tokens",
    "system_message": HEAD + " content",
    "user_message": HEAD + " content",
    "assistant_message": HEAD + " content",
    "reasoning_message": HEAD + " source reasoning signature",
    "tool_call_message": HEAD + " tool_call tool_calls",
    "tool_return_message": HEAD + " tool_return status tool_call_id stdout stderr tool_returns",
    "ping": HEAD,
    "error_message": "message_type run_id error_type message detail seq_id",
    "tool_call": "name arguments tool_call_id",
    "tool_return": "type tool_return status tool_call_id stdout stderr",
    "run": "id status created_at completed_at agent_id conversation_id base_template_id background metadata request_config "
           "stop_reason callback_url callback_sent_at callback_status_code callback_error ttft_ns total_duration_ns job_type "
           "user_id created_by_id last_updated_by_id updated_at",
    "request_config": "use_assistant_message assistant_message_tool_name assistant_message_tool_kwarg include_return_message_types",
    "run_usage": "completion_tokens prompt_tokens total_tokens prompt_tokens_details completion_tokens_details",
    "run_metrics": "id organization_id agent_id project_id run_start_ns run_ns num_steps tools_used template_id base_template_id",
    "span": "trace_id span_id parent_span_id span_name span_kind service_name timestamp duration status_code status_message attributes",
    "step": "id origin organization_id provider_id run_id agent_id provider_name provider_category model model_handle "
            "model_endpoint context_window_limit completion_tokens prompt_tokens total_tokens cached_input_tokens "
            "cache_write_tokens reasoning_tokens completion_tokens_details prompt_tokens_details stop_reason tags tid trace_id "
            "request_id messages feedback project_id error_type error_data status",
    "step_metrics": "id organization_id provider_id run_id agent_id step_start_ns llm_request_start_ns llm_request_ns "
                    "tool_execution_ns step_ns base_template_id template_id project_id",
    "trace": "id request_json response_json step_id agent_id agent_tags call_type run_id source org_id user_id "
             "compaction_settings llm_config billing_context created_at updated_at created_by_id last_updated_by_id",
    "conversation": "created_by_id last_updated_by_id created_at updated_at id agent_id summary in_context_message_ids isolated_block_ids "
                    "model model_settings last_message_at archived archived_at context_window_limit description",
    "compaction": "summary num_messages_before num_messages_after",
    "validation": "trace_id detail errors",
    "path_validation": "trace_id detail examples errors",
    "problem": "loc msg type input",
    "model_failure": "error detail",
    "model_error": "type message detail",
}
SEARCH = '@call conversation_search {"query": "hello"}'
WHOLE = "?include=agent.blocks&include=agent.tools&include=agent.tags&include=agent.secrets"


def has_shape(value: dict, name: str):
    assert list(value) == FIELDS[name].split(), f"{name}: {list(value)}"


def has_shapes(messages: list):
    assert messages
    for message in messages:
        has_shape(message, message["message_type"])


def is_whole_agent(agent: dict):
    has_shape(agent, "agent")
    for part in ("llm_config", "embedding_config", "model_settings", "compaction_settings", "memory"):
        has_shape(agent[part], part)
    assert agent["memory"]["blocks"] == agent["blocks"] and len(agent["blocks"]) == 2
    for block in agent["blocks"]:
        has_shape(block, "block")
    assert agent["tools"]
    for tool in agent["tools"]:
        has_shape(tool, "tool")


@pytest.fixture
def made(http, model):
    return http.post("/v1/agents/", {"name": "shapes", "embedding": "openai/text-embedding-3-small", "tags": ["b", "a"],
                                     "secrets": {"KEY": "v"}, "tool_rules": [{"tool_name": "memory_insert", "type": "exit_loop"}],
                                     "memory_blocks": [{"label": "human", "value": "Grace"}, {"label": "persona", "value": "Ada"}]})


def test_an_agent_is_made_whole_for_both_generations(made):
    is_whole_agent(made)
    assert made["tool_rules"][0] == {"tool_name": "memory_insert", "type": "exit_loop", "prompt_template": None}
    for secret in made["secrets"]:
        has_shape(secret, "secret")
    assert made["tool_exec_environment_variables"] == made["secrets"] and len(made["secrets"]) == 1


NULL_AT_FIRST = ("response_format description metadata project_id template_id base_template_id deployment_id entity_id pending_approval "
                 "enable_sleeptime multi_agent_group managed_group last_run_completion last_run_duration_ms last_stop_reason hidden")
EMPTY_AT_FIRST = "sources tags tool_exec_environment_variables secrets identity_ids identities tool_rules"


def test_what_an_agent_does_not_have_is_null_or_empty_never_absent(http):
    plain = http.post("/v1/agents/", {})
    assert {name for name, value in plain.items() if value is None} - {"embedding", "embedding_config"} == set(NULL_AT_FIRST.split())
    assert {name for name in EMPTY_AT_FIRST.split() if plain[name] != []} == set()
    assert (plain["timezone"], plain["message_buffer_autoclear"], plain["agent_type"]) == ("UTC", False, "letta_v1_agent")


def test_generation_1_sees_relationships_unasked_and_generation_2_when_it_asks(server, made):
    older, newer, path = server.http(1), server.http(2), f"/v1/agents/{made['id']}"
    is_whole_agent(older.get(path))
    is_whole_agent(next(agent for agent in older.get("/v1/agents/?limit=20") if agent["id"] == made["id"]))
    bare = newer.get(path)
    has_shape(bare, "agent")
    assert [bare[name] for name in ("blocks", "tools", "tags", "secrets", "sources", "identities")] == [[]] * 6
    assert bare["memory"] == {"agent_type": "letta_v1_agent", "git_enabled": False, "blocks": [], "file_blocks": [], "prompt_template": ""}
    is_whole_agent(newer.get(path + WHOLE))
    assert newer.get(path + "?include=agent.blocks")["tags"] == ["a", "b"] and newer.get(path + "?include=agent.tags")["blocks"] == []
    assert older.get(path + "?include_relationships=tags")["blocks"] == []


@pytest.mark.parametrize("headers, newer", [({"X-Stainless-Package-Version": "1.12.1", "User-Agent": "anything/0"}, True),
                                            ({"User-Agent": "letta-client/1.0.0"}, True), ({"User-Agent": "@letta-ai/letta-client/1.12.1"}, True),
                                            ({"User-Agent": "letta-client/0.1.324"}, False), ({"User-Agent": "@letta-ai/letta-client/0.1.211"}, False),
                                            ({"User-Agent": "Letta/Python"}, False), ({"User-Agent": "curl"}, False)])
def test_who_counts_as_which_generation(server, made, headers, newer):
    assert (server.http().get(f"/v1/agents/{made['id']}", headers=headers)["tools"] == []) is newer


def test_every_change_of_an_agent_answers_it_whole(http, made):
    path = f"/v1/agents/{made['id']}"
    is_whole_agent(http.patch(path, {"name": "other"}))
    is_whole_agent(http.patch(path + "/reset-messages", {}))
    is_whole_agent(http.patch(path + "/reset-messages"))
    block = http.post("/v1/blocks/", {"label": "third"})
    assert len(http.patch(f"{path}/core-memory/blocks/attach/{block['id']}", {})["blocks"]) == 3
    is_whole_agent(http.patch(f"{path}/core-memory/blocks/detach/{block['id']}", {}))


def test_tools_come_and_go_with_an_agent_for_generation_1_and_null_for_2(server, made):
    tool = next(tool for tool in server.http().get("/v1/tools/?limit=100") if tool["name"] == "memory_rethink")
    for verb in ("attach", "attach", "detach", "detach"):
        path = f"/v1/agents/{made['id']}/tools/{verb}/{tool['id']}"
        has_shape(server.http(1).patch(path, {}), "agent")
        assert server.http(2).patch(path, {}) is None


def test_parts_of_an_agent(http, made):
    path = f"/v1/agents/{made['id']}"
    has_shape(http.get(path + "/core-memory"), "memory")
    for block in http.get(path + "/core-memory/blocks"):
        has_shape(block, "block_response")
    has_shape(http.get(path + "/core-memory/blocks/human"), "block_response")
    has_shape(http.patch(path + "/core-memory/blocks/human", {"value": "new"}), "block_response")
    for tool in http.get(path + "/tools"):
        has_shape(tool, "tool")
    assert http.get(path + "/core-memory/variables") == http.get(path + "/memory-variables") == {"variables": {}}
    context = http.get(path + "/context")
    has_shape(context, "context")
    has_shape(context["messages"][0], "context_message")
    assert list(http.delete(path)) == ["message"]


def test_blocks(http):
    block = http.post("/v1/blocks/", {"label": "notes", "value": "one", "limit": 50, "metadata": {"a": 1}, "tags": ["t"]})
    has_shape(block, "block_response")
    has_shape(http.get(f"/v1/blocks/{block['id']}"), "block_response")
    has_shape(http.patch(f"/v1/blocks/{block['id']}", {"value": "two"}), "block_response")
    has_shape(http.get("/v1/blocks/?label=notes")[0], "block_response")
    assert http.delete(f"/v1/blocks/{block['id']}") is None


def test_small_resources(http):
    assert list(http.get("/v1/health/")) == ["version", "status", "stele_version"] and http.get("/v1/ready")["status"] == "ok"
    for listing in http.get("/v1/models/"):
        has_shape(listing, "model")
    for listing in http.get("/v1/models/embedding"):
        has_shape(listing, "embedding")
    assert http.get("/v1/models/llm") == http.get("/v1/models/") and http.get("/v1/models/embeddings") == http.get("/v1/models/embedding")
    tools = http.get("/v1/tools/")
    has_shape(tools[0], "tool")
    has_shape(http.get(f"/v1/tools/{tools[0]['id']}"), "tool")
    assert isinstance(http.get("/v1/tools/count"), int) and isinstance(http.get("/v1/tags/"), list)


def test_a_blocking_answer_and_what_is_kept_of_it(http, made):
    path = f"/v1/agents/{made['id']}/messages"
    answer = http.post(path, {"messages": [{"role": "user", "content": "@reason why\n" + SEARCH}]})
    has_shape(answer, "response")
    has_shape(answer["stop_reason"], "stop_reason")
    has_shape(answer["usage"], "usage_statistics")
    has_shapes(answer["messages"])
    assert [message["message_type"] for message in answer["messages"]] == [
        "reasoning_message", "tool_call_message", "tool_return_message", "reasoning_message", "assistant_message"]
    call, returned = answer["messages"][1], answer["messages"][2]
    has_shape(call["tool_call"], "tool_call")
    has_shape(returned["tool_returns"][0], "tool_return")
    assert call["tool_calls"] == [call["tool_call"]]
    first = returned["tool_returns"][0]
    assert {name: returned[name] for name in first if name != "type"} == {name: value for name, value in first.items() if name != "type"}

    stored = http.get(path)
    has_shapes(stored)
    assert [message["message_type"] for message in stored[:2]] == ["system_message", "user_message"]
    run_id, step_id = call["run_id"], call["step_id"]
    has_shapes(http.get(f"/v1/runs/{run_id}/messages"))
    has_shapes(http.get(f"/v1/steps/{step_id}/messages"))
    has_shapes(http.get(f"/v1/messages/{call['id']}"))
    for run in (http.get(f"/v1/runs/{run_id}"), http.get("/v1/runs/?limit=1")[0]):
        has_shape(run, "run")
        has_shape(run["request_config"], "request_config")
        assert run["total_duration_ns"] > 0 and run["job_type"] == "run"
    has_shape(http.get(f"/v1/runs/{run_id}/usage"), "run_usage")
    has_shape(http.get(f"/v1/runs/{run_id}/metrics"), "run_metrics")
    for step in (http.get(f"/v1/steps/{step_id}"), http.get("/v1/steps/?limit=1")[0], http.get(f"/v1/runs/{run_id}/steps")[0]):
        has_shape(step, "step")
    has_shape(http.get(f"/v1/steps/{step_id}/metrics"), "step_metrics")
    trace = http.get(f"/v1/steps/{step_id}/trace")
    has_shape(trace, "trace")
    assert http.get(f"/v1/telemetry/{step_id}") == http.get(f"/v1/telemetry/provider-trace?step_id={step_id}") == trace
    spans = http.get(f"/v1/runs/{run_id}/trace")
    for span in spans:
        has_shape(span, "span")
    assert [span["span_name"] for span in spans if span["span_name"] in ("run", "agent_step")] == ["run", "agent_step", "agent_step"]
    assert "tool_execution" in [span["span_name"] for span in spans]


def types_of(events: list) -> list:
    return [event if isinstance(event, str) else event["message_type"] for event in events]


def test_a_stream_of_whole_messages(http, made):
    events = http.events(f"/v1/agents/{made['id']}/messages/stream", {"messages": [{"role": "user", "content": SEARCH}]})
    assert types_of(events) == ["ping", "tool_call_message", "tool_return_message", "assistant_message", "stop_reason", "usage_statistics",
                                "[DONE]"]
    has_shapes(events[:-1])


def test_a_stream_of_tokens(http, made):
    body = {"messages": [{"role": "user", "content": '@call memory_rethink {"label": "human", "new_memory": "a longer text"}'}], "stream_tokens": True}
    events = [event for event in http.events(f"/v1/agents/{made['id']}/messages/stream", body) if isinstance(event, dict)]
    has_shapes(events)
    pieces = [event for event in events if event["message_type"] == "tool_call_message"]
    assert len({piece["id"] for piece in pieces}) == 1 and len({piece["otid"] for piece in pieces}) == 1
    assert list(pieces[0]["tool_call"]) == ["name", "tool_call_id"]
    assert {tuple(piece["tool_call"]) for piece in pieces[1:]} == {("arguments", "tool_call_id")}
    assert all(piece["tool_calls"] == piece["tool_call"] for piece in pieces)


def test_a_background_stream_numbers_its_messages(http, made):
    body = {"messages": [{"role": "user", "content": "@long 3"}], "stream_tokens": True, "background": True}
    events = [event for event in http.events(f"/v1/agents/{made['id']}/messages/stream", body) if isinstance(event, dict)]
    has_shapes(events)
    numbers = [event["seq_id"] for event in events if "seq_id" in event]
    assert numbers == sorted(set(numbers)) and None not in numbers


def test_a_failed_stream_ends_with_its_reason(http, made):
    events = http.events(f"/v1/agents/{made['id']}/messages/stream", {"messages": [{"role": "user", "content": "@fail 401"}]})
    assert types_of(events) == ["ping", "stop_reason", "event: error", "error_message", "[DONE]"]
    has_shape(events[3], "error_message")
    assert (events[1]["stop_reason"], events[3]["error_type"]) == ("llm_api_error", "llm_authentication")


def test_streams_say_what_they_are(server, made):
    _, _, headers = server.http().send("POST", f"/v1/agents/{made['id']}/messages", {"input": "x", "streaming": True})
    assert headers["Content-Type"] == "text/event-stream; charset=utf-8" and headers["Cache-Control"] == "no-cache"


def test_streaming_by_member_is_for_generation_2(server, made):
    with pytest.raises(stele.Refused) as failed:
        server.http(1).post(f"/v1/agents/{made['id']}/messages", {"messages": [{"role": "user", "content": "x"}], "streaming": True})
    assert failed.value.status == 422 and "body.streaming" in failed.value.text


@pytest.mark.parametrize("code, status, kind", [(401, 401, "llm_authentication"), (402, 402, "llm_insufficient_credits"),
                                                (400, 400, "llm_bad_request")])
def test_errors_of_the_model(http, made, code, status, kind):
    with pytest.raises(stele.Refused) as failed:
        http.post(f"/v1/agents/{made['id']}/messages", {"messages": [{"role": "user", "content": f"@fail {code}"}]})
    assert failed.value.status == status
    has_shape(failed.value.body, "model_failure")
    has_shape(failed.value.body["error"], "model_error")
    assert failed.value.body["error"]["type"] == kind and failed.value.body["detail"] == failed.value.body["error"]["detail"]


def test_conversations(http, made):
    path = "/v1/conversations/"
    talk = http.post(f"{path}?agent_id={made['id']}", {"summary": "s", "isolated_block_labels": ["human"]})
    for shown in (talk, http.get(path + talk["id"]), http.get(f"{path}?agent_id={made['id']}")[0], http.patch(path + talk["id"], {"summary": "t"}),
                  http.post(f"{path}{talk['id']}/fork", {})):
        has_shape(shown, "conversation")
    answer = http.post(f"{path}{talk['id']}/messages", {"messages": [{"role": "user", "content": SEARCH}], "streaming": False})
    has_shape(answer, "response")
    has_shapes(answer["messages"])
    has_shapes(http.get(f"{path}{talk['id']}/messages"))
    has_shapes([event for event in http.events(f"{path}{talk['id']}/messages", {"input": SEARCH}) if isinstance(event, dict)])
    has_shape(http.post(f"{path}{talk['id']}/compact", {}), "compaction")
    assert isinstance(http.post(f"{path}{talk['id']}/recompile"), str)
    assert http.delete(path + talk["id"]) is None


def test_errors_of_the_request(http):
    for method, path, body, shape, loc, kind in (
            ("POST", "/v1/agents/", {"model": 5}, "validation", ["body", "model"], "string_type"),
            ("POST", "/v1/blocks/", {"value": "x"}, "validation", ["body", "label"], "missing"),
            ("GET", "/v1/agents/xyz", None, "path_validation", ["path", "agent_id"], "string_pattern_mismatch"),
            ("GET", "/v1/agents/?limit=x", None, "validation", ["query", "limit"], "int_parsing")):
        with pytest.raises(stele.Refused) as failed:
            http.send(method, path, body)
        answer = failed.value.body
        assert failed.value.status == 422
        has_shape(answer, shape)
        has_shape(answer["errors"][0], "problem")
        assert (answer["errors"][0]["loc"], answer["errors"][0]["type"]) == (loc, kind)
        assert ".".join(loc) in answer["detail"]
    with pytest.raises(stele.Refused) as missing:
        http.get("/v1/agents/agent-00000000-0000-4000-8000-00000000dead")
    assert missing.value.status == 404 and list(missing.value.body) == ["detail"]
