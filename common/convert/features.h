#pragma once

namespace meshdns::convert {

/// The word in Welcome.features of a federation that takes endpoints without a service: pods that get one from an
/// EndpointSlice, or are selected by their labels. A federation without the word refuses such endpoints, so agents do
/// not report them to it (docs/adr/0043).
inline constexpr const char* kWithoutService = "endpoints-without-service";

}  // namespace meshdns::convert
