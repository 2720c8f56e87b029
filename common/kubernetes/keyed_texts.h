#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/base/result.h"

// Secrets and ConfigMaps: objects that keep texts by keys.
namespace meshdns::kubernetes {

/// The texts of an object, by their keys: "ca.crt" -> PEM.
using KeyedTexts = std::map<std::string, std::string>;

/// The two kinds of such objects.
enum class Keeper { Secret, ConfigMap };

/// Returns the path of an object, or of all objects of its namespace if `name` is empty.
std::string keeper_path(Keeper kind, std::string_view name_space, std::string_view name = "");

/// Reads the texts of an object. Texts of a Secret are base64 there.
/// errors: DataLoss: the body is no such object; the message names no content
Result<KeyedTexts> read_texts(Keeper kind, std::string_view body);

/// Returns the body that creates an object with these texts.
std::string new_keeper(Keeper kind, std::string_view name_space, std::string_view name, const KeyedTexts& texts);

/// Returns an object as the API server has sent it, with other texts. Its labels and other texts remain, and so does
/// its resourceVersion: the API server refuses the object with 409 if somebody has changed it meanwhile. texts:  an
/// empty text removes the key
/// errors: as for read_texts()
Result<std::string> with_texts(Keeper kind, std::string_view body, const KeyedTexts& texts);

}  // namespace meshdns::kubernetes
