#pragma once

#include "common/model/endpoint.h"

namespace meshdns::agent::app {

/// Logs a new state of an endpoint, and when its address of one family begins or stops to be left out of answers. Logs
/// nothing if neither has changed.
/// before: the endpoint's health so far
void log_change(const model::Endpoint& endpoint, const model::Health& before);

}  // namespace meshdns::agent::app
