;; Takes 16 MiB in each of four memories: each alone is within a limit of 32 MiB, their sum is not.
;; Ends by `unreachable` as soon as a memory is refused; answers `none` where all 64 MiB were granted.
(module
  (memory (export "memory") 1)
  (memory $b 1)
  (memory $c 1)
  (memory $d 1)
  (global $free (mut i32) (i32.const 1024))

  ;; Hands out memory upwards; the host passes the turn through it.
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
    (result i32)
    (local $at i32)
    (local.set $at
      (i32.and
        (i32.sub (i32.add (global.get $free) (local.get $align)) (i32.const 1))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (if (i32.gt_u (global.get $free) (i32.const 65536)) (then unreachable))
    (local.get $at))

  (func $granted (param $pages i32)
    (if (i32.eq (local.get $pages) (i32.const -1)) (then unreachable)))

  ;; A page at a time in turn, so that no single step stands out.
  (func (export "anteroom:policy/routing@1.0.0#route") (param $turn i32) (result i32)
    (local $page i32)
    (loop $more
      (call $granted (memory.grow (i32.const 1)))
      (call $granted (memory.grow $b (i32.const 1)))
      (call $granted (memory.grow $c (i32.const 1)))
      (call $granted (memory.grow $d (i32.const 1)))
      (local.set $page (i32.add (local.get $page) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $page) (i32.const 255))))
    ;; `ok(none)`: the zeros at the start of memory.
    (i32.const 0)))
