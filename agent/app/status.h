#pragma once

#include <cstddef>
#include <string>

#include "agent/discovery/static_source.h"
#include "agent/report/syncer.h"
#include "common/model/endpoint.h"
#include "meshdns/v1/agent_status.pb.h"

namespace meshdns::app {

/// What the agent says of itself, without the link and the sources.
v1::AgentStatus status_of(const model::Node& node, const report::Syncer& syncer, TimePoint now);

/// A source with all its errors, a line each, for people on this node.
report::SourceState source_state(const discovery::StaticSource& source);
/// The same for the federation: what is not read, "endpoints.d: app-b.yaml:7:5: ..." a line.
report::SourceState told_state(const discovery::StaticSource& source);
/// "eu1-n1 does not read endpoints.d: app-b.yaml:7:5: ... (and 2 more)"; empty = it reads everything.
std::string unread_text(const discovery::StaticSource& source, const std::string& node);
/// How many files are wrong or cannot be read, the folder itself among them.
std::size_t unread_files(const discovery::StaticSource& source);
v1::AgentSource source_status(const report::SourceState& source);

/// "http 503, 1 of 2 successes"; empty where there is nothing to say
std::string why_text(const model::Health& health);

/// "eu-1/n1 left the federation at 10.0.0.1:7400: 3 endpoints withdrawn"
std::string left_text(const std::string& node, std::size_t endpoints, const std::string& server);

}  // namespace meshdns::app
