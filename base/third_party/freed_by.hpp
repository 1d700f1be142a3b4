// A deleter for objects of C libraries: std::unique_ptr<X509, freed_by<X509_free>>.
#pragma once

namespace cairn {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

} // namespace cairn
