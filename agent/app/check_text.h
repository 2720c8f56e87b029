#pragma once

#include <string>
#include <string_view>

#include "agent/health/probe_result.h"
#include "agent/probes/check.h"
#include "common/time/time.h"

namespace meshdns::agent::app {

/// Returns what a check sends or asks for, for people: "GET /healthz, Host: app-b, expects 200-399". Nothing in it is
/// secret: values of headers are left out, because they may be.
std::string sent_text(const probes::AnyCheck& check);

/// Returns "success", "warning", "failure", "timeout", "refused" or "unknown".
std::string_view outcome_name(health::Outcome outcome);

/// Returns a short time for people: "0.4ms", "12ms", "2.0s".
std::string latency_text(Duration latency);

}  // namespace meshdns::agent::app
