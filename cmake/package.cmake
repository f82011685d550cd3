# SPDX-License-Identifier: MPL-2.0
# How others find an installed Baton: pkg-config (`baton`) and CMake (`baton::baton`). The library
# and its headers are installed by their own folders.
include (CMakePackageConfigHelpers)

set (cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/baton")
# The way up from the .pc file to the prefix: an installed folder may be moved as a whole.
file (RELATIVE_PATH BATON_PC_UP "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
string (REGEX REPLACE "/$" "" BATON_PC_UP "${BATON_PC_UP}")
configure_file (cmake/baton.pc.in "${PROJECT_BINARY_DIR}/baton.pc" @ONLY)
configure_package_config_file (cmake/baton-config.cmake.in
    "${PROJECT_BINARY_DIR}/baton-config.cmake"
    INSTALL_DESTINATION "${cmake_dir}"
    PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
# Before 1.0.0 each minor version may break: the second number must agree.
write_basic_package_version_file ("${PROJECT_BINARY_DIR}/baton-config-version.cmake"
    COMPATIBILITY SameMinorVersion)

install (FILES "${PROJECT_BINARY_DIR}/baton.pc"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
install (FILES
    "${PROJECT_BINARY_DIR}/baton-config.cmake"
    "${PROJECT_BINARY_DIR}/baton-config-version.cmake"
    DESTINATION "${cmake_dir}")
install (FILES LICENSE README.md CHANGELOG.md SECURITY.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
