// SPDX-License-Identifier: MIT
using System.IO;
using System.Runtime.InteropServices;
using TickLog;
using UnityEngine;

/// <summary>
/// Logs how its object moves at every physics step, and collisions as events, into a run below the game's own data folder. The tick
/// is the physics step: nothing waits for the disk in it.
/// </summary>
public sealed class MotionLogger : MonoBehaviour
{
    [StructLayout(LayoutKind.Sequential)]
    private struct Motion
    {
        [Field(Unit = "m")] public Vector3 Position;
        [Field(Unit = "m/s")] public float Speed;
        public Bool8 IsMoving;
    }

    private struct Hit
    {
        [Field(Unit = "m/s")] public float Speed;
    }

    private TickLog.Logger logger;
    private Variable<Motion> motion;
    private EventStream<Hit> hits;
    private Run run;
    private Vector3 last;

    private void OnEnable()
    {
        string root = Path.Combine(Application.persistentDataPath, "runs");
        Directory.CreateDirectory(root);
        logger = new TickLog.Logger(root);
        motion = logger.Poll<Motion>("motion");
        hits = logger.Events<Hit>("hit");
        run = logger.Start(new RunOptions { TickNanoseconds = (ulong)(Time.fixedDeltaTime * 1e6 + 0.5) * 1000 });
        last = transform.position;
        Debug.Log("logs into " + run.Path);
    }

    private void FixedUpdate()
    {
        Vector3 position = transform.position;
        float speed = (position - last).magnitude / Time.fixedDeltaTime;
        last = position;
        motion.Value = new Motion { Position = position, Speed = speed, IsMoving = speed > 0.01f };
        run.Tick();
    }

    private void OnCollisionEnter(Collision collision)
    {
        hits.Emit(new Hit { Speed = collision.relativeVelocity.magnitude });
    }

    private void LateUpdate()
    {
        run.Service();
    }

    private void OnDisable()
    {
        if (run != null) run.Dispose();
        if (logger != null) logger.Dispose();
    }
}
