#pragma once

namespace meshdns::convert {

/// Endpoints without a service: pods that get one from an EndpointSlice, or are selected by their labels
/// (docs/adr/0043). A federation whose Welcome.features lack the word refuses such endpoints, so agents do not report
/// them to it. An agent whose Hello.features lack the word does not report them either, so the list of its pods is not
/// complete.
inline constexpr const char* kWithoutService = "endpoints-without-service";

/// Port mapping. Settings.mappings are sent only to agents whose Hello.features have the word.
inline constexpr const char* kPortMapping = "port-mapping";

}  // namespace meshdns::convert
