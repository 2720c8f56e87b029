#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/net/ip_address.h"

// What the API of Docker and of Podman says of containers, as far as it decides about endpoints. The readers return
// DataLoss for a text that is not the JSON which the API has, and InvalidArgument for a member of another type, with
// its path. Unknown members are ignored.
namespace meshdns::discovery {

/// A port inside a container.
struct ContainerPort {
  std::uint16_t number = 0;
  std::string protocol = "TCP";  // TCP or UDP

  /// Returns "80/tcp".
  std::string text() const;
  friend auto operator<=>(const ContainerPort&, const ContainerPort&) = default;
};

/// Where a port of a container is published on its host.
struct Published {
  std::optional<IpAddress> address;  // nothing = all addresses of the host; 0.0.0.0 and :: = all of the family
  std::uint16_t number = 0;

  friend bool operator==(const Published&, const Published&) = default;
};

/// A container.
struct Container {
  std::string id;    // 64 hexadecimal digits
  std::string name;  // given away again as soon as the container is removed
  bool running = false;
  bool paused = false;
  std::string health;  // by the HEALTHCHECK of its image: starting, healthy or unhealthy; empty = it has none
  std::map<std::string, std::string> labels;  // those of meshdns, without the prefix `meshdns.`
  bool host_network = false;
  std::map<std::string, std::vector<IpAddress>> networks;  // by name: the container's addresses
  std::set<ContainerPort> exposed;                         // by the image, or as published
  std::map<ContainerPort, std::vector<Published>> published;

  friend bool operator==(const Container&, const Container&) = default;
};

/// An event of a container.
struct ContainerEvent {
  enum class Kind : std::uint8_t {
    Ended,      // no process of the container is left
    Paused,     // its processes do not run
    Unhealthy,  // its HEALTHCHECK has failed often enough
    Changed,    // anything else that can change an endpoint: the container has to be inspected
    Other       // nothing that concerns endpoints
  };

  Kind kind = Kind::Other;
  std::string id;
  bool labelled = false;  // the container has labels of meshdns
};

/// The versions of the API that a server speaks.
struct EngineVersion {
  std::string engine;  // "Docker Engine - Community 27.3.1", for people
  std::string newest;  // "1.47"
  std::string oldest;  // "1.24"; may be empty
};

/// Whether the name of a label is one of meshdns.
bool is_mesh_label(std::string_view name);

/// Reads the answer to GET /version.
Result<EngineVersion> read_engine_version(std::string_view body);
/// Returns the version of the API to ask for: "1.41", or the one of the server that is the closest to it.
std::string api_version(const EngineVersion& engine);

/// Reads the answer to GET /containers/json.
/// returns: the ids of the containers that have labels of meshdns
Result<std::set<std::string>> read_container_list(std::string_view body);
/// Reads the answer to GET /containers/ID/json.
Result<Container> read_container(std::string_view body);
/// Reads a line of GET /events. An event that is not of a container is Other.
Result<ContainerEvent> read_container_event(std::string_view line);

}  // namespace meshdns::discovery
