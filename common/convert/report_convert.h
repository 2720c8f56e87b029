#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/model/endpoint.h"
#include "common/time/time.h"
#include "meshdns/v1/federation.pb.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::convert {

/// Converts an endpoint for a message. Points in time become durations until `now`, because clocks of machines differ.
v1::Endpoint to_wire(const model::Endpoint& endpoint, TimePoint now);
/// Converts an endpoint of a message.
/// node:   the key of the node whose agent has sent the endpoint; becomes the first part of the endpoint's key
/// errors: an address that is neither 4 nor 16 bytes, a number out of range; the message begins with the field
Result<model::Endpoint> from_wire(const v1::Endpoint& endpoint, const std::string& node, TimePoint now);

v1::Locality to_wire(const model::Locality& place);
v1::Port to_wire(const model::Port& port);
v1::Membership to_wire(const model::Membership& membership);
v1::MappedPort to_wire(const model::MappedPort& port);
v1::Node to_wire(const model::Node& node);
/// Converts a node of a message. The node's key is "cluster/name".
Result<model::Node> from_wire(const v1::Node& node);

/// Returns a record's part of a digest: XXH3 over key, a zero byte and the encoded bytes. A digest is the sum of these
/// parts mod 2^64.
std::uint64_t record_hash(std::string_view key, std::string_view bytes);

google::protobuf::Duration to_wire(Duration duration);
/// Converts a duration of a message, and cuts it to 100 years, so that sums with points in time cannot overflow.
Duration from_wire(const google::protobuf::Duration& duration);
/// Converts a duration of a message, and replaces one that is out of bounds by the bound.
Duration from_wire(const google::protobuf::Duration& duration, Duration least, Duration most);

}  // namespace meshdns::convert
