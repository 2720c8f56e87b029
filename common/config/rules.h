#pragma once

#include <google/protobuf/message.h>
#include <optional>
#include <string>
#include <string_view>

#include "meshdns/config/v1/rules.pb.h"

namespace meshdns::config {

/// The row of a setting in the protos; all defaults where it has none.
const v1::Rules& rules_of(const google::protobuf::FieldDescriptor& field);

/// One YAML scalar: numbers, texts, booleans and durations (but no lists of them).
bool is_scalar(const google::protobuf::FieldDescriptor& field);
bool is_duration(const google::protobuf::FieldDescriptor& field);

/// Sets a scalar field, or adds to a list of scalars, from its text in the file. Texts are set even when they break the
/// field's rules, so that lists keep their positions.
/// returns: what is wrong, like "expected 1-65535 (got 0)"
std::optional<std::string> put_scalar(google::protobuf::Message& out, const google::protobuf::FieldDescriptor& field,
                                      std::string_view text);

/// "a duration like 5s"; like 500ms where shorter ones than a second are allowed
std::string duration_example(const v1::Rules& rules);

/// What is wrong with a text by the rules of its field.
std::optional<std::string> wrong_text(const v1::Rules& rules, std::string_view text);

/// The one form of a text that two spellings of the same value share: for finding duplicates.
std::string same_value_key(const v1::Rules& rules, std::string_view text);

/// unix:/path, a loopback address or localhost: where plaintext is allowed. `text`: as Rules.LISTEN or SERVER
bool is_on_this_host(std::string_view text);

}  // namespace meshdns::config
