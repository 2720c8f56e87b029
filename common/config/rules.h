#pragma once

#include <google/protobuf/message.h>
#include <optional>
#include <string>
#include <string_view>

#include "meshdns/config/v1/rules.pb.h"

namespace meshdns::config {

/// Returns the `rules` option of a field; a default value if the field has none.
const v1::Rules& rules_of(const google::protobuf::FieldDescriptor& field);

/// Whether the field is one YAML scalar: a number, text, boolean or duration, but not a list.
bool is_scalar(const google::protobuf::FieldDescriptor& field);
bool is_duration(const google::protobuf::FieldDescriptor& field);

/// Sets a scalar field, or appends to a list of scalars, from its text in the file. A text is set even if it breaks the
/// field's rules, so that later elements of a list keep their positions.
/// returns: what is wrong, like "expected 1-65535 (got 0)"; nothing = the text is valid
std::optional<std::string> put_scalar(google::protobuf::Message& out, const google::protobuf::FieldDescriptor& field,
                                      std::string_view text);

/// Returns "a duration like 5s", or "... like 500ms" if durations below a second are allowed.
std::string duration_example(const v1::Rules& rules);

/// Checks a text by the rules of its field.
/// returns: what is wrong; nothing = the text is valid
std::optional<std::string> wrong_text(const v1::Rules& rules, std::string_view text);

/// Returns a form of the text that is equal for all spellings of the same value; used to find duplicates.
std::string same_value_key(const v1::Rules& rules, std::string_view text);

/// Whether an address is on this host, so that plaintext is allowed: unix:/path, a loopback address or localhost.
/// text: a valid Rules.LISTEN or Rules.SERVER
bool is_on_this_host(std::string_view text);

}  // namespace meshdns::config
