#pragma once

#include <cstddef>

#include "agent/admin/agent.h"
#include "agent/admin/commands.h"
#include "common/http/message.h"

namespace meshdns::agent::admin {

/// The longest body of a request at the socket: a file of endpoints to register.
inline constexpr std::size_t kLongestBody = std::size_t{1} << 20;
/// The longest detail of a push and the longest reason of a drain, in bytes.
inline constexpr std::size_t kLongestText = std::size_t{4} << 10;
/// The longest drain that ends by itself, which is the longest that a federation takes.
inline constexpr Duration kLongestDrain = std::chrono::hours(7 * 24);

/// Returns the handler of the unix socket: like http_api(), and with POST
///
///   /v1/leave                       202 while the withdrawal runs (ask again), 200 when the records are withdrawn, 503
///   if
///                                   they are not; the body is text for people
///   /v1/register?file=web.yaml      body: a file of endpoints.d
///   /v1/deregister?target=shop/web
///   /v1/push?target=shop/web&state=up|down|warn              body: the detail
///   /v1/drain?target=shop/web&for=30m                        body: the reason; without target the node, without for
///   until /v1/undrain?target=shop/web                              undrain /v1/check?target=shop/web
///
/// These answer with JSON (AgentChanges, AgentRuns), or with text and a status of 4xx or 5xx.
/// agent, commands: must outlive the handler
http::LateHandler socket_api(Agent& agent, Commands& commands);

}  // namespace meshdns::agent::admin
