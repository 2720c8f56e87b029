#pragma once

#include <cstddef>
#include <string>

#include "agent/app/check_view.h"
#include "agent/app/maintenance.h"
#include "agent/discovery/static_source.h"
#include "agent/report/syncer.h"
#include "common/model/endpoint.h"
#include "meshdns/v1/agent_status.pb.h"

namespace meshdns::agent::app {

/// Returns the agent's status, except the link and the sources.
v1::AgentStatus status_of(const model::Node& node, const report::Syncer& syncer, TimePoint now);

/// Returns the state of a source as reported to the federation: only files that are not read, with one line for each
/// problem: "endpoints.d: app-b.yaml:7:5: ...".
report::SourceState told_state(const discovery::StaticSource& source);
/// Returns "eu1-n1 does not read endpoints.d: app-b.yaml:7:5: ... (and 2 more)"; empty = everything is read.
std::string unread_text(const discovery::StaticSource& source, const std::string& node);
/// Returns how many files are wrong or cannot be read; a folder that cannot be read counts as one.
std::size_t unread_files(const discovery::StaticSource& source);
/// now: of the clock that the views and drains have their times of
v1::AgentCheck check_status(const CheckView& view, TimePoint now);
/// endpoints: how many the drain covers
v1::AgentDrain drain_status(const Drain& drain, std::size_t endpoints, TimePoint now);
/// Returns a check that has just ended.
/// sent: from sent_text()
v1::AgentRun run_status(const CheckView& view, const std::string& sent);
v1::AgentSource source_status(const report::SourceState& source);

/// Returns the reason of a state and the progress towards the next one: "http 503, 1 of 2 successes". May be empty.
std::string why_text(const model::Health& health);

/// Returns "eu-1/n1 left the federation at 10.0.0.1:7400: 3 endpoints withdrawn".
std::string left_text(const std::string& node, std::size_t endpoints, const std::string& server);

}  // namespace meshdns::agent::app
