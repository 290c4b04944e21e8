# Included by the CMakeLists.txt of an example.
#   BUNDLE   folder that holds lib/ and include/; default: the one that the example lies in
#   LIBC     newlib (default) or picolibc
#   BOARD    which linker script: stm32f4, stm32f7, or mps2, which QEMU runs
set(BUNDLE "${CMAKE_CURRENT_LIST_DIR}/../.." CACHE PATH "holds lib/ and include/")
set(LIBC newlib CACHE STRING "newlib or picolibc")

set(ticklog_examples "${CMAKE_CURRENT_LIST_DIR}/..")
set(ticklog_machine_m4f -mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard)
set(ticklog_machine_m7f -mcpu=cortex-m7 -mthumb -mfpu=fpv5-d16 -mfloat-abi=hard)
set(ticklog_script_mps2 "${ticklog_examples}/firmware/mps2.ld")
set(ticklog_script_stm32f4 "${ticklog_examples}/stm32f4/stm32f4.ld")
set(ticklog_script_stm32f7 "${ticklog_examples}/stm32f7/stm32f7.ld")
set(ticklog_hertz_mps2 25000000u)
set(ticklog_hertz_stm32f4 168000000u)
set(ticklog_hertz_stm32f7 216000000u)
# start.c replaces the C library's start-up, and the linker script picolibc's own.
set(ticklog_specs_newlib --specs=nosys.specs)
set(ticklog_specs_picolibc --specs=picolibc.specs)

# ticklog_firmware(NAME m4f|m7f SOURCES...)
function(ticklog_firmware name core)
    foreach(known script_${BOARD} specs_${LIBC} machine_${core})
        if(NOT DEFINED ticklog_${known})
            message(FATAL_ERROR "BOARD=${BOARD} LIBC=${LIBC} ${core}: no ticklog_${known}")
        endif()
    endforeach()
    if(NOT EXISTS "${BUNDLE}/lib/cortex-${core}/libticklog.a")
        message(FATAL_ERROR "BUNDLE=${BUNDLE} has no lib/cortex-${core}/libticklog.a")
    endif()
    add_executable(${name} ${ARGN} "${ticklog_examples}/firmware/start.c")
    set(options ${ticklog_machine_${core}} ${ticklog_specs_${LIBC}})
    target_compile_options(${name} PRIVATE ${options} -O2 -g -Wall -Wextra -ffunction-sections -fdata-sections)
    target_compile_features(${name} PRIVATE c_std_11)
    target_compile_definitions(${name} PRIVATE CORE_HZ=${ticklog_hertz_${BOARD}})
    target_include_directories(${name} PRIVATE "${BUNDLE}/include" "${ticklog_examples}/firmware" "${ticklog_examples}/storage")
    target_link_libraries(${name} PRIVATE "${BUNDLE}/lib/cortex-${core}/libticklog.a")
    target_link_options(${name} PRIVATE ${options} -nostartfiles "-L${ticklog_examples}/firmware" -T "${ticklog_script_${BOARD}}"
        -Wl,--gc-sections -Wl,--no-warn-execstack "-Wl,-Map=${name}.map")
    set_target_properties(${name} PROPERTIES SUFFIX .elf LINK_DEPENDS
        "${ticklog_script_${BOARD}};${ticklog_examples}/firmware/sections.ld")
endfunction()
