// Boost.JSON is a library of headers here: its functions are compiled into this source, once for all programs.
#include <boost/json/src.hpp>
